/// What is being sent and how far it is: counts, and gives the lines that show it.
struct ProgressBoard: Sendable {
  typealias Instant = ContinuousClock.Instant

  /// A file whose session is open, or whose bytes are on their way.
  struct Transfer: Sendable {
    let id: String
    let name: String
    fileprivate(set) var bytes: Int64 = 0
    let of: Int64
    fileprivate var meter: RateMeter
  }

  /// How many files there are to send in all; nil where that is not known from the beginning.
  private let expected: Int?
  private(set) var sent = 0
  /// Files that were given up and have not been anything else since, by their hashes.
  private var failures: Set<Int> = []
  /// Failures beyond ``mostFailures``, which are only counted.
  private var moreFailures = 0
  /// Bytes of the files that were sent.
  private(set) var bytes: Int64 = 0
  private(set) var transfers: [Transfer] = []
  /// Files that are decided about, and wait for a place.
  private var queue: [String: Int64] = [:]
  private var queuedBytes: Int64 = 0
  /// Whether all that is to be sent is known, so that it can be told when it will have been.
  var isEndKnown = false
  /// Bytes that were read for sending, of all files.
  private var moved: Int64 = 0
  private var meter: RateMeter

  init(expecting expected: Int? = nil, now: Instant = .now) {
    self.expected = expected
    isEndKnown = false
    meter = RateMeter(now: now)
  }

  private static let mostFailures = 100_000

  /// How many files were given up.
  var failed: Int { failures.count + moreFailures }

  /// How many files wait for a place.
  var waiting: Int { queue.count }

  /// Bytes that are still to be sent, of all that is known to be.
  var bytesLeft: Int64 { transfers.reduce(queuedBytes) { $0 + $1.of - $1.bytes } }

  /// Bytes in a second, of all files together.
  func rate(at now: Instant) -> Double? { meter.rate(at: now) }

  // MARK: - What happens

  /// A file waits for a place.
  mutating func enqueue(_ id: String, bytes: Int64) {
    failures.remove(id.hashValue)
    queuedBytes += bytes - (queue.updateValue(bytes, forKey: id) ?? 0)
  }

  /// A file has its place.
  mutating func begin(_ id: String, name: String, of total: Int64, at now: Instant) {
    leaveQueue(id)
    failures.remove(id.hashValue)
    guard !transfers.contains(where: { $0.id == id }) else { return }
    transfers.append(Transfer(id: id, name: name, of: total, meter: RateMeter(now: now)))
  }

  /// So many bytes of it are on their way; they begin anew where a call is made again.
  mutating func advance(_ id: String, name: String, to bytes: Int64, of total: Int64, at now: Instant) {
    begin(id, name: name, of: total, at: now)
    guard let index = transfers.firstIndex(where: { $0.id == id }) else { return }
    moved += max(bytes - transfers[index].bytes, 0)
    meter.note(moved, at: now)
    transfers[index].bytes = bytes
    transfers[index].meter.note(bytes, at: now)
  }

  /// A file has been sent.
  mutating func finish(_ id: String, bytes: Int64) {
    settle(id)
    sent += 1
    self.bytes += bytes
  }

  /// A file was given up.
  mutating func fail(_ id: String) {
    end(id)
    if failures.count < Self.mostFailures {
      failures.insert(id.hashValue)
    } else if !failures.contains(id.hashValue) {
      moreFailures += 1
    }
  }

  /// Something else came of a file than that it was given up.
  mutating func settle(_ id: String) {
    end(id)
    failures.remove(id.hashValue)
  }

  /// A file is not to be sent any more, or not now.
  mutating func end(_ id: String) {
    leaveQueue(id)
    transfers.removeAll { $0.id == id }
  }

  private mutating func leaveQueue(_ id: String) {
    queuedBytes -= queue.removeValue(forKey: id) ?? 0
  }
}

// MARK: - What is shown

extension ProgressBoard {
  /// The lines for a terminal of this size: the transfers that there is room for, and the totals below.
  func lines(on size: TerminalSize, _ look: TerminalLook, now: Instant) -> [String] {
    // The last column stays free, where terminals disagree about what follows; so does a line, for the cursor.
    let (columns, rows) = (size.columns - 1, size.rows - 2)
    var shown = transfers[...]
    if transfers.count > rows { shown = transfers.prefix(max(rows - 1, 0)) }
    var lines = shown.map { line($0, columns, look, now: now) }
    if rows > 0, shown.count < transfers.count {
      lines.append(Cells.cut("and \(transfers.count - shown.count) more", columns))
    }
    return lines + [totals(columns, look, now: now)]
  }

  private func line(_ transfer: Transfer, _ columns: Int, _ look: TerminalLook, now: Instant) -> String {
    let part = transfer.of > 0 ? min(max(Double(transfer.bytes) / Double(transfer.of), 0), 1) : 0
    let percent = Self.padded("\(Int(part * 100)) %", 5)
    var rest = columns - 1 - percent.count
    guard rest >= 12 else { return Cells.cut("\(percent) \(transfer.name)", columns) }
    var rate = ""
    if columns >= 40 {
      let number = transfer.meter.rate(at: now).map { Format.bytes(Int64($0)) + "/s" } ?? ""
      rate = "  " + Self.padded(number, 10)
      rest -= rate.count
    }
    var bar = ""
    if columns >= 52 {
      let width = min(max(columns / 4, 10), 40)
      bar = " " + look.bar(part, width: width)
      rest -= width + 1
    }
    return Cells.fit(transfer.name, rest) + bar + " " + percent + rate
  }

  private func totals(_ columns: Int, _ look: TerminalLook, now: Instant) -> String {
    let rate = rate(at: now)
    let moving = transfers.reduce(bytes) { $0 + $1.bytes }
    var parts = [expected.map { "\(sent) of \($0) sent" } ?? "\(sent) sent"]
    let failures = failed > 0 ? "\(failed) failed" : nil
    if let failures { parts.append(failures) }
    parts.append(Format.bytes(moving))
    if let rate, !transfers.isEmpty { parts.append(Format.bytes(Int64(rate)) + "/s") }
    if waiting > 0 { parts.append("\(waiting) waiting") }
    if isEndKnown, bytesLeft > 0, let rate, rate >= 1 {
      parts.append("\(Format.remaining(.seconds(Double(bytesLeft) / rate))) left")
    }
    let text = Cells.cut(parts.joined(separator: ", "), columns)
    // Painted once it is cut, so that no code is.
    guard let failures, let range = text.firstRange(of: failures) else { return text }
    return text.replacingCharacters(in: range, with: look.red(failures))
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(width - text.count, 0)) + text
  }
}
