// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "moontide",
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .target(name: "FileSessions"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "Digests", dependencies: ["COpenSSL"]),
    .target(name: "SQLiteStore", dependencies: [.product(name: "GRDB", package: "GRDB.swift")]),
    .target(
      name: "LocalService",
      dependencies: [
        "FileSessions", "Digests", "SQLiteStore", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .testTarget(name: "FileSessionsTests", dependencies: ["FileSessions"]),
    .testTarget(
      name: "SQLiteStoreTests", dependencies: ["SQLiteStore", .product(name: "GRDB", package: "GRDB.swift")]),
    .testTarget(
      name: "LocalServiceTests",
      dependencies: [
        "LocalService", "FileSessions", "Digests", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
  ]
)
