import Synchronization

/// A value that stays in its script, held from outside.
///
/// The script's state keeps the value alive as long as this object exists. When it goes, the
/// state is told so on its next turn; that may happen on any thread.
package final class LuaReference: Sendable {
  let slot: Int32
  private let releases: LuaReleases
  /// The state that it is in.
  let owner: ObjectIdentifier
  /// Lua's name of the value's type.
  package let typeName: String

  init(slot: Int32, releases: LuaReleases, typeName: String) {
    self.slot = slot
    self.releases = releases
    owner = ObjectIdentifier(releases)
    self.typeName = typeName
  }

  deinit { releases.add(slot) }
}

extension LuaReference: Equatable {
  package static func == (left: LuaReference, right: LuaReference) -> Bool { left === right }
}

/// A function that stays in its script.
package struct LuaFunction: Sendable, Equatable {
  let reference: LuaReference
}

/// The registry slots that nobody outside needs any more.
final class LuaReleases: Sendable {
  private let slots = Mutex<[Int32]>([])
  private let pending = Atomic<Bool>(false)

  func add(_ slot: Int32) {
    slots.withLock { $0.append(slot) }
    pending.store(true, ordering: .releasing)
  }

  /// Whether there may be slots to free.
  var isPending: Bool { pending.load(ordering: .acquiring) }

  /// The slots to free.
  func take() -> [Int32] {
    pending.store(false, ordering: .relaxed)
    return slots.withLock { slots in
      defer { slots = [] }
      return slots
    }
  }
}
