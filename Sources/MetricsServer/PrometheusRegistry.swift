import CoreMetrics
import Synchronization

/// A backend of swift-metrics that keeps what it is told, and writes it as Prometheus reads it.
///
/// Labels are taken as they are: they name what this program measures, not what a client sent.
package final class PrometheusRegistry: MetricsFactory {
  /// A metric and its dimensions.
  private struct Key: Hashable {
    var label: String
    var dimensions: [String]
  }

  private struct Metric {
    var label: String
    var dimensions: [(String, String)]
    var series: any Series
  }

  private let metrics = Mutex<[Key: Metric]>([:])

  private let help: [String: String]

  /// - Parameter help: what metrics are about, by their names.
  package init(help: [String: String] = [:]) {
    self.help = help
  }

  /// Everything so far, in the text format of Prometheus, ordered by name.
  package var text: String {
    let metrics = metrics.withLock { Array($0.values) }
    let names = Dictionary(grouping: metrics, by: \.label)
    var lines: [String] = []
    for (name, metrics) in names.sorted(by: { $0.key < $1.key }) {
      if let help = help[name] { lines.append("# HELP \(name) \(Self.escaped(help))") }
      lines.append("# TYPE \(name) \(metrics[0].series.type)")
      let ordered = metrics.map { (Self.text(of: $0.dimensions), $0) }.sorted { $0.0 < $1.0 }
      for (dimensions, metric) in ordered { lines += metric.series.lines(name, dimensions) }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func text(of dimensions: [(String, String)]) -> String {
    dimensions.map { name, value in "\(name)=\"\(escaped(value, quote: "\\\""))\"" }.joined(separator: ",")
  }

  /// The text with what would end a line or a value written otherwise. By scalars: what is `\r\n` has a `\n`.
  private static func escaped(_ text: String, quote: String = "\"") -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "\"": quote
      case "\n": "\\n"
      default: String(scalar)
      }
    }.joined()
  }

  /// The metric of that name and those dimensions, made by `make` the first time.
  private func series<Kind: Series>(
    _ label: String, _ dimensions: [(String, String)], _ make: () -> Kind
  ) -> Kind {
    let key = Key(label: label, dimensions: dimensions.flatMap { [$0.0, $0.1] })
    return metrics.withLock { metrics in
      if let known = metrics[key]?.series as? Kind { return known }
      let series = make()
      metrics[key] = Metric(label: label, dimensions: dimensions, series: series)
      return series
    }
  }

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(label, dimensions) { CounterSeries() }
  }

  package func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(label, dimensions) { CounterSeries() }
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(label, dimensions) { GaugeSeries() }
  }

  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    aggregate ? series(label, dimensions) { HistogramSeries() } : series(label, dimensions) { GaugeSeries() }
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(label, dimensions) { HistogramSeries() }
  }

  // What is measured here is measured as long as the process lives; nothing is taken back.
  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  package func destroyMeter(_ handler: any MeterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}
}
