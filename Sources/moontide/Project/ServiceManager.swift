import Glibc

/// The service manager that started the process, where it wants to be told how things go: systemd's `sd_notify`.
struct ServiceManager: Sendable {
  private let socketPath: String
  /// Within what time it wants to hear that the process goes on; nil where it does not.
  let watchdog: Duration?

  /// - Parameter environment: what the process was started with; nil comes of one that names no manager.
  init?(_ environment: [String: String]) {
    guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@") else {
      return nil
    }
    socketPath = path
    let isMeant = environment["WATCHDOG_PID"].map { Int32($0) == getpid() } ?? true
    let interval = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
    watchdog = isMeant && interval > 0 ? .microseconds(interval) : nil
  }

  /// What the process does is under way.
  func ready() { send("READY=1") }

  /// A line for `systemctl status`.
  func status(_ line: String) { send("STATUS=\(line.printable)") }

  /// The process is about to end.
  func stopping() { send("STOPPING=1") }

  /// A new configuration is being loaded; ``ready()`` says that it has been.
  func reloading() {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    send("RELOADING=1\nMONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)")
  }

  /// The process goes on.
  func alive() { send("WATCHDOG=1") }

  /// Sends a datagram. One that cannot be sent is let go: the manager draws its own conclusions.
  private func send(_ message: String) {
    let descriptor = socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var path = Array(socketPath.utf8)
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    // A name that begins with @ is no file: its first byte is 0.
    if path[0] == UInt8(ascii: "@") { path[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
    let bytes = Array(message.utf8)
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
        _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), place, length)
      }
    }
  }
}
