// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "moontide",
  targets: [
    .systemLibrary(name: "CMagic", pkgConfig: "libmagic", providers: [.apt(["libmagic-dev"])]),
    .target(name: "Workspace", dependencies: ["CMagic"]),
    .testTarget(name: "WorkspaceTests", dependencies: ["Workspace"]),
  ]
)
