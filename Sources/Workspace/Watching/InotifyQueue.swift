import Glibc

/// One event of the kernel's.
struct InotifyEvent {
  let watch: Int32
  let mask: UInt32
  /// The entry of the watched directory; empty when the event is about the directory itself.
  let name: [UInt8]

  func has(_ bits: Int) -> Bool { mask & UInt32(truncatingIfNeeded: bits) != 0 }
}

/// The kernel's queue of changes in directories (`inotify(7)`).
struct InotifyQueue {
  /// A file's single writes are not asked for: whoever writes without end would fill the queue. Its end is told.
  private static let mask = UInt32(
    IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF
      | IN_MOVE_SELF | IN_ONLYDIR)

  let descriptor: Descriptor

  init() throws(SystemError) {
    // The flags' own names (IN_NONBLOCK, IN_CLOEXEC) stand for these.
    descriptor = Descriptor(try SystemCalls.check { inotify_init1(O_NONBLOCK | O_CLOEXEC) })
  }

  /// Watches the directory that `directory` stands on, whatever its name is by now.
  func add(_ directory: Descriptor) throws(SystemError) -> Int32 {
    try SystemCalls.check {
      inotify_add_watch(descriptor.number, "/proc/self/fd/\(directory.number)", Self.mask)
    }
  }

  /// Ends a watch; one that has ended by itself is fine.
  func remove(_ watch: Int32) {
    _ = inotify_rm_watch(descriptor.number, watch)
  }

  /// The events that are waiting, as far as they fit into one reading; none when the queue is empty.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> [InotifyEvent] {
    let count = Glibc.read(descriptor.number, buffer.baseAddress, buffer.count)
    guard count > 0 else { return [] }
    var events: [InotifyEvent] = []
    var offset = 0
    let header = MemoryLayout<inotify_event>.size
    while offset + header <= count {
      let length = Int(buffer.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
      let name = buffer[(offset + header)..<min(offset + header + length, count)].prefix { $0 != 0 }
      events.append(
        InotifyEvent(
          watch: buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self),
          mask: buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self), name: Array(name)))
      offset += header + length
    }
    return events
  }
}
