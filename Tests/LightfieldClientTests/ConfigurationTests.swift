import FileSessions
import Foundation
import LightfieldClient
import Testing

@Suite("The client's surroundings")
struct ConfigurationTests {
  @Test(
    "decide which hosts are reached through the proxy",
    arguments: [
      ("", "api.test", true), ("api.test", "api.test", false), (".test", "API.test", false),
      ("test", "api.test", false), ("est", "api.test", true),
      ("other.test, *.store.test", "a.store.test", false),
      ("*", "api.test", false), ("", "127.0.0.1", false), ("", "localhost", false), ("", "[::1]", false),
    ])
  func proxy(exceptions: String, host: String, isProxied: Bool) throws {
    let settings = try ProxySettings(environment: ["https_proxy": "proxy.test:3128", "NO_PROXY": exceptions])
    #expect(settings.applies(to: host) == isProxied)
    #expect(try ProxySettings(environment: [:]).applies(to: host) == false)
    #expect(isProxied == (settings.applies(to: host) && settings.proxy?.description == "proxy.test:3128"))
  }

  @Test("must name a proxy and certificates that can be used")
  func unusable() async throws {
    for proxy in ["https://proxy.test", "socks5://proxy.test", "http://", "::"] {
      #expect(throws: ServiceError.self) { try ProxySettings(environment: ["HTTPS_PROXY": proxy]) }
    }
    let empty = NSTemporaryDirectory() + "/moontide-\(UUID().uuidString).pem"
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: empty))
    defer { try? FileManager.default.removeItem(atPath: empty) }
    for path in ["/nonexistent.pem", empty] {
      let error = await #expect(throws: ServiceError.self) {
        try await withClient("https://api.test", { $0.trustRoots = path }) { _ in }
      }
      #expect(error?.message.contains(path) == true)
    }
  }
}
