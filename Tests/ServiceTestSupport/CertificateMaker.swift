import Foundation

/// A certificate authority of its own, and a certificate of this machine by it, made with the `openssl` program.
package final class CertificateMaker: Sendable {
  /// What can go wrong in making one.
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  private let directory: String
  /// The authority's certificate, in PEM.
  package var authority: String { directory + "/ca.pem" }
  /// The certificate of `localhost` and `127.0.0.1`, in PEM.
  package var certificate: String { directory + "/server.pem" }
  /// The key of ``certificate``, in PEM.
  package var key: String { directory + "/server.key" }

  package init() throws {
    directory = NSTemporaryDirectory() + "/moontide-certificates-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let new = [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    ]
    try openssl(
      new + ["-subj", "/CN=Moontide test authority", "-keyout", directory + "/ca.key", "-out", authority])
    try openssl(
      new + [
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority, "-CAkey", directory + "/ca.key",
        "-keyout", key, "-out", certificate,
      ])
  }

  deinit {
    try? FileManager.default.removeItem(atPath: directory)
  }

  private func openssl(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    let errors = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let said = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "openssl \(arguments): \(String(decoding: said, as: UTF8.self))")
    }
  }
}
