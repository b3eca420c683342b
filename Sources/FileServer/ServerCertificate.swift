import Glibc
import NIOSSL

extension FileServerConfiguration.TLS {
  /// The files, read.
  func loaded() throws(FileServerError) -> TLSConfiguration {
    let chain = try certificates()
    let key = try self.key()
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    do {
      _ = try NIOSSLContext(configuration: configuration)
    } catch {
      throw FileServerError(
        .tls, "The certificate \(certificateChain) and the key \(privateKey) do not belong to each other.")
    }
    return configuration
  }

  private func certificates() throws(FileServerError) -> [NIOSSLCertificate] {
    let text = try Self.text(of: certificateChain, "The certificate")
    if let chain = try? NIOSSLCertificate.fromPEMBytes(Array(text.utf8)), !chain.isEmpty { return chain }
    let why = text.contains("PRIVATE KEY-----") ? "holds a private key" : "holds no certificate in PEM"
    throw FileServerError(.tls, "The certificate \(certificateChain) cannot be used: the file \(why).")
  }

  private func key() throws(FileServerError) -> NIOSSLPrivateKey {
    let text = try Self.text(of: privateKey, "The private key")
    // One with a password would be asked for on the terminal.
    let isEncrypted = text.contains("ENCRYPTED")
    if !isEncrypted, let key = try? NIOSSLPrivateKey(bytes: Array(text.utf8), format: .pem) { return key }
    let why =
      isEncrypted
      ? "is protected by a password, which must be taken off first"
      : text.contains("BEGIN CERTIFICATE") ? "holds a certificate" : "holds no private key in PEM"
    throw FileServerError(.tls, "The private key \(privateKey) cannot be used: the file \(why).")
  }

  /// More is no certificate, nor a key.
  private static let longest = 1 << 20

  private static func text(of path: String, _ what: String) throws(FileServerError) -> String {
    guard let file = fopen(path, "re") else { throw unreadable(path, what) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: longest)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0 else { throw unreadable(path, what) }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }

  private static func unreadable(_ path: String, _ what: String) -> FileServerError {
    let why = errno == ENOENT ? "there is no such file" : String(cString: strerror(errno))
    return FileServerError(.tls, "\(what) \(path) cannot be read: \(why).")
  }
}
