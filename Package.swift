// swift-tools-version: 6.2
import PackageDescription

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "moontide",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
  ],
  // From the top down: nothing imports what stands above it.
  targets: [
    .executableTarget(
      name: "moontide",
      dependencies: [
        "Scripting", "SQLiteLedger", "LuaHTTP", "LuaLibrary", "LuaHost", "FileServer", "MetricsServer",
        "LightfieldClient",
        "Ingestion", "LocalService", "Workspace", "FileSessions", "Digests", "CProcess", argumentParser,
        logging,
        metrics, serviceLifecycle,
      ]),
    .target(
      name: "Scripting",
      dependencies: ["LuaLibrary", "LuaHost", "Ingestion", "Workspace", "FileSessions", "Digests"]),
    .target(name: "SQLiteLedger", dependencies: ["Ingestion", "SQLiteStore", grdb]),
    .target(
      name: "FileServer",
      dependencies: [
        "MetricsServer", "LocalService", "FileSessions", "Digests", hummingbird, hummingbirdCore,
        hummingbirdTLS, logging,
        metrics,
        serviceLifecycle, nioCore, nioHTTP1, nioSSL,
      ]),
    .target(
      name: "MetricsServer",
      dependencies: [hummingbirdCore, hummingbird, logging, metrics, serviceLifecycle, nioCore]),
    .target(
      name: "LightfieldClient",
      dependencies: [
        "FileSessions", "Digests", asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
      ]),
    .target(name: "Simulation", dependencies: ["Ingestion", "FileSessions", "Workspace", "Digests"]),
    .target(name: "LuaHTTP", dependencies: ["LuaLibrary", asyncHTTPClient, nioCore, nioHTTP1, nioPosix]),
    .target(
      name: "LuaLibrary",
      dependencies: ["LuaHost", "Workspace", "FileSessions", "Digests", subprocess, systemPackage]),
    .target(name: "Ingestion", dependencies: ["Workspace", "FileSessions", "Digests"]),
    .target(
      name: "LocalService", dependencies: ["FileSessions", "SQLiteStore", "Digests", "WorkerThreads", grdb]),
    .target(name: "LuaHost", dependencies: ["CLuaBridge"]),
    .target(name: "SQLiteStore", dependencies: [grdb]),
    .target(name: "Workspace", dependencies: ["CMagic", "WorkerThreads"]),
    .target(name: "FileSessions", dependencies: ["Digests"]),
    .target(name: "WorkerThreads"),
    .target(name: "Digests", dependencies: ["COpenSSL"]),
    .target(name: "CLuaBridge", dependencies: ["CLua"]),

    .executableTarget(name: "LuaBench", dependencies: ["LuaHost", "CLuaBench"]),
    .target(name: "CLuaBench", dependencies: ["CLua"]),

    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "CMagic", pkgConfig: "libmagic", providers: [.apt(["libmagic-dev"])]),
    .systemLibrary(name: "CProcess"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    .target(
      name: "ScriptTestSupport", dependencies: ["LuaLibrary", "Workspace", "FileSessions"],
      path: "Tests/ScriptTestSupport"),
    .target(
      name: "ServiceTestSupport",
      dependencies: [
        "FileServer", "LightfieldClient", "LocalService", "FileSessions", "Digests", nioCore, nioHTTP1,
        nioPosix,
      ], path: "Tests/ServiceTestSupport"),
    .executableTarget(
      name: "CrashChild",
      dependencies: [
        "Scripting", "SQLiteLedger", "LuaLibrary", "Ingestion", "LocalService", "Workspace", "FileSessions",
      ], path: "Tests/CrashChild"),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "moontide", "CrashChild", "ScriptTestSupport", "FileServer", "LocalService", "FileSessions",
        "Digests",
        asyncHTTPClient,
        grdb,
      ]),
    .testTarget(
      name: "ConformanceTests",
      dependencies: [
        "ServiceTestSupport", "LightfieldClient", "LocalService", "FileSessions", asyncHTTPClient, logging,
        nioCore,
        nioHTTP1,
      ]),
    .testTarget(
      name: "FaultTests",
      dependencies: [
        "ServiceTestSupport", "Ingestion", "SQLiteLedger", "LightfieldClient", "LocalService", "Workspace",
        "FileSessions", nioCore, nioHTTP1,
      ]),
    .testTarget(
      name: "FileServerTests",
      dependencies: [
        "FileServer", "MetricsServer", "LocalService", "FileSessions", "Digests", asyncHTTPClient, metrics,
        nioCore,
      ]),
    .testTarget(
      name: "LightfieldClientTests", dependencies: ["LightfieldClient", "FileSessions", "Digests", logging],
      exclude: ["Official/record.py"]),
    .testTarget(name: "SimulationTests", dependencies: ["Simulation"]),
    .testTarget(name: "FileSessionsTests", dependencies: ["FileSessions"]),
    .testTarget(
      name: "IngestionTests",
      dependencies: ["Ingestion", "Simulation", "SQLiteLedger", "LocalService", "Workspace", "FileSessions"]),
    .testTarget(name: "LocalServiceTests", dependencies: ["LocalService", "FileSessions", "Digests", grdb]),
    .testTarget(name: "LuaHostTests", dependencies: ["LuaHost", "CLuaBridge"]),
    .testTarget(
      name: "LuaHTTPTests",
      dependencies: ["ScriptTestSupport", "LuaHTTP", "LuaLibrary", "LuaHost", "Workspace", "FileSessions"]),
    .testTarget(name: "LuaLibraryTests", dependencies: ["ScriptTestSupport", "LuaLibrary"]),
    .testTarget(name: "ScriptingTests", dependencies: ["ScriptTestSupport", "Scripting"]),
    .testTarget(
      name: "SQLiteLedgerTests",
      dependencies: ["SQLiteLedger", "Ingestion", "Workspace", "FileSessions", grdb]),
    .testTarget(name: "SQLiteStoreTests", dependencies: ["SQLiteStore", grdb]),
    .testTarget(name: "WorkspaceTests", dependencies: ["Workspace"]),
  ],
  swiftLanguageModes: [.v6]
)

// Test code is compiled for one run, so that to optimize it takes longer than it saves.
for target in package.targets where target.type == .test || target.path?.hasPrefix("Tests/") == true {
  target.swiftSettings = [.unsafeFlags(["-Onone", "-no-emit-module-separately-wmo"])]
}
