import Digests
import FileSessions
import Synchronization

/// A value that several tasks note something in.
final class Noted<Value: Sendable>: Sendable {
  private let state: Mutex<Value>

  init(_ value: Value) { state = Mutex(value) }

  var value: Value { state.withLock { $0 } }

  func change(_ change: (inout Value) -> Void) {
    state.withLock { value in
      var next = value
      change(&next)
      value = next
    }
  }
}

/// The md5 of bytes.
func md5(_ bytes: [UInt8]) -> MD5Digest {
  var digest = DigestStream(.md5)
  digest.update(bytes)
  return MD5Digest(bytes: digest.finalize())
}
