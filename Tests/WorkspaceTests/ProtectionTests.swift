import Foundation
import Glibc
import Testing
import Workspace

@Suite struct ProtectionTests {
  /// Where the state may lie, and paths that reach into it.
  static let places: [(state: String?, paths: [String])] = [
    (
      nil,
      [
        ".moontide", ".moontide/ledger", "sub/.moontide/x", "sub/.moontide", "alias", "alias/ledger",
        "toState",
      ]
    ),
    ("sub/state", ["sub/state", "sub/state/ledger", ".moontide/ledger", "alias2/ledger", "toState2"]),
  ]

  @Test("Nothing reaches Moontide's state", arguments: places, [true, false])
  func refuses(place: (state: String?, paths: [String]), exists: Bool) throws {
    let project = try TemporaryProject().make("a", "sub/b", "sub/.moontide/x")
    if exists { try project.make(".moontide/ledger", "sub/state/ledger") }
    project.link("alias", to: ".moontide")
    project.link("toState", to: ".moontide/ledger")
    project.link("alias2", to: "sub/../sub/state")
    project.link("toState2", to: "sub/state/ledger")
    let workspace = try project.workspace(state: place.state.map { project.directory + "/" + $0 })
    let ordinary = try path("a")
    let new = try path("new")
    for name in place.paths {
      let target = try path(name)
      let isLink = name.hasPrefix("alias") && !name.contains("/") || name.hasPrefix("toState")
      var attempts: [(String, () throws -> Void)] = [
        ("open", { _ = try workspace.open(target) }),
        ("read", { _ = try workspace.read(target, limit: 1) }),
        ("info", { _ = try workspace.info(target) }),
        ("exists", { _ = try workspace.exists(target) }),
        ("list", { _ = try workspace.list(target) }),
        ("write", { try workspace.write(target, "x".utf8) }),
        ("makeDirectory", { try workspace.makeDirectory(target) }),
        ("copy from", { try workspace.copy(from: target, to: new) }),
        ("walk", { _ = try workspace.walk(root: target) }),
      ]
      if !isLink {
        attempts += [
          ("remove", { try workspace.remove(target) }),
          ("move from", { try workspace.move(from: target, to: new) }),
          ("move to", { try workspace.move(from: ordinary, to: target) }),
          ("copy to", { try workspace.copy(from: ordinary, to: target) }),
        ]
      }
      for (operation, attempt) in attempts {
        let error = failure(attempt)
        #expect(error?.code == .protected, "\(operation) \(name)")
        #expect(error?.message.contains("belongs to Moontide") == true)
      }
      if !name.hasPrefix("alias") && !isLink { #expect(workspace.explain(target) == .protected) }
    }
    #expect(project.content("a") == "a")
    #expect(project.content(".moontide/ledger") == (exists ? ".moontide/ledger" : nil))
  }

  @Test("A walk and a listing do not see the state, hidden or not, wherever it is")
  func invisible() throws {
    let project = try TemporaryProject()
      .make("a", ".moontide/x", "sub/.moontide/x", "sub/state/x", "sub/b", "other/state/c")
    let workspace = try project.workspace(state: project.directory + "/sub/state")
    #expect(try walk(workspace, hidden: true).files == ["a", "other/state/c", "sub/b"])
    #expect(try walk(workspace, include: [".moontide/*", "**/.moontide/*"]).files == [])
    #expect(try walk(workspace, "sub").files == ["b"])
    #expect(try workspace.list().entries.map(\.name) == ["a", "other", "sub"])
    #expect(try workspace.list(path("sub")).entries.map(\.name) == ["b"])
  }

  @Test("A state directory that is renamed below the root stays unseen")
  func byIdentity() throws {
    let project = try TemporaryProject().make("a", "real/x")
    // The state is reached by a link, as an administrator may set it up.
    project.link("state", to: "real")
    let workspace = try project.workspace(state: project.directory + "/state")
    #expect(try walk(workspace).files == ["a"])
    let target = try path("real/x")
    #expect(failure { _ = try workspace.open(target) }?.code == .protected)
  }

  @Test("A state directory that appears later is unseen from then on")
  func appearsLater() throws {
    let project = try TemporaryProject().make("a")
    let workspace = try project.workspace(state: project.directory + "/later")
    #expect(try walk(workspace).files == ["a"])
    try project.make("later/x")
    #expect(try walk(workspace).files == ["a"])
  }

  @Test("A state directory that does not exist yet cannot be made, also by another name of the project")
  func doesNotExistYet() throws {
    let project = try TemporaryProject()
    #expect(symlink(project.directory, project.base + "/alias") == 0)
    let workspace = try Workspace(root: project.directory, state: project.base + "/alias/sub/state")
    #expect(workspace.statePath == workspace.rootPath + "/sub/state")
    let target = try path("sub/state/x")
    #expect(failure { try workspace.write(target, []) }?.code == .protected)
    #expect(failure { try workspace.makeDirectory(target) }?.code == .protected)
  }

  @Test("Files that are being written are not seen")
  func unfinished() throws {
    let project = try TemporaryProject().make(".moontide-12-3.part", ".moontide-notes", ".moontide.md")
    let workspace = try project.workspace()
    #expect(try walk(workspace, hidden: true).files == [".moontide-notes", ".moontide.md"])
    let target = try path(".moontide-12-3.part")
    #expect(failure { _ = try workspace.open(target) }?.code == .protected)
  }

  @Test("A state directory that holds the project is refused", arguments: ["", "/..", "/project/.."])
  func stateAboveProject(suffix: String) throws {
    let project = try TemporaryProject()
    let (root, state) = (project.directory, suffix.isEmpty ? project.directory : project.base + suffix)
    #expect(
      failure { _ = try Workspace(root: root, state: state) }?.code == .protected)
  }
}
