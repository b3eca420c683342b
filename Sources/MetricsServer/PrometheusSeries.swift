import CoreMetrics
import Synchronization

/// The values of one metric with one set of dimensions.
protocol Series: AnyObject, Sendable {
  /// As Prometheus names it.
  var type: String { get }
  /// The samples. `dimensions` is what stands between the braces.
  func lines(_ name: String, _ dimensions: String) -> [String]
}

/// A number that only grows.
final class CounterSeries: Series, CounterHandler, FloatingPointCounterHandler {
  private let value = Mutex(0.0)

  var type: String { "counter" }

  func increment(by amount: Int64) { value.withLock { $0 += Double(amount) } }
  func increment(by amount: Double) { value.withLock { $0 += amount } }
  func reset() { value.withLock { $0 = 0 } }

  func lines(_ name: String, _ dimensions: String) -> [String] {
    [sample(name, dimensions, value.withLock { $0 })]
  }
}

/// A number that goes up and down.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
  private let value = Mutex(0.0)

  var type: String { "gauge" }

  func set(_ new: Int64) { value.withLock { $0 = Double(new) } }
  func set(_ new: Double) { value.withLock { $0 = new } }
  func increment(by amount: Double) { value.withLock { $0 += amount } }
  func decrement(by amount: Double) { value.withLock { $0 -= amount } }
  func record(_ new: Int64) { set(new) }
  func record(_ new: Double) { set(new) }

  func lines(_ name: String, _ dimensions: String) -> [String] {
    [sample(name, dimensions, value.withLock { $0 })]
  }
}

/// How values spread: how many lie below each of a few bounds. Times are in seconds.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
  private struct State {
    var counts = [Int](repeating: 0, count: bounds.count)
    var count = 0
    var sum = 0.0
  }

  private static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]
  private let state = Mutex(State())

  var type: String { "histogram" }

  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    state.withLock { state in
      for (index, bound) in Self.bounds.enumerated() where value <= bound { state.counts[index] += 1 }
      state.count += 1
      state.sum += value
    }
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func lines(_ name: String, _ dimensions: String) -> [String] {
    let state = state.withLock { $0 }
    let prefix = dimensions.isEmpty ? "" : dimensions + ","
    var lines = zip(Self.bounds, state.counts).map { bound, count in
      sample("\(name)_bucket", "\(prefix)le=\"\(plain(bound))\"", Double(count))
    }
    lines.append(sample("\(name)_bucket", "\(prefix)le=\"+Inf\"", Double(state.count)))
    lines.append(sample("\(name)_sum", dimensions, state.sum))
    lines.append(sample("\(name)_count", dimensions, Double(state.count)))
    return lines
  }
}

private func sample(_ name: String, _ dimensions: String, _ value: Double) -> String {
  "\(name)\(dimensions.isEmpty ? "" : "{\(dimensions)}") \(plain(value))"
}

/// A number without a `.0` that says nothing.
private func plain(_ value: Double) -> String {
  Int64(exactly: value).map(String.init) ?? String(value)
}
