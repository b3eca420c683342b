import FileSessions

/// The `date` header, by which clients know the server's time.
enum HTTPDate {
  /// As RFC 9110 writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
  static func text(_ moment: Timestamp) -> String {
    let (days, rest) = (moment.milliseconds / 86_400_000, moment.milliseconds / 1000 % 86_400)
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    // `2026-04-08T11:00:00.000Z`: the calendar's work is done already.
    let date = moment.description.prefix(10).split(separator: "-")
    guard date.count == 3, let month = Int(date[1]), months.indices.contains(month - 1) else { return "" }
    let time = [rest / 3600, rest / 60 % 60, rest % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return
      "\(names[Int(days % 7)]), \(date[2]) \(months[month - 1]) \(date[0]) \(time.joined(separator: ":")) GMT"
  }
}
