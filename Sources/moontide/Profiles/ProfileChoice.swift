/// What a command line and its environment say about the destination.
struct ProfileRequest: Sendable {
  /// `--profile`
  var name: String?
  /// `--service`
  var service: ServiceAddress?
  /// `--api-key-file`
  var keyFile: KeySource?
  /// `LIGHTFIELD_BASE_URL`
  var usualService: ServiceAddress?
  /// Whether `LIGHTFIELD_API_KEY` is set.
  var hasUsualKey: Bool
}

/// A destination on the network.
struct RemoteProfile: Hashable, Sendable {
  var name: String
  var address: ServiceAddress
  var key: KeySource
}

/// Which destination a command means. Values only; nothing is read or made.
enum ProfileChoice: Hashable, Sendable {
  case local
  case remote(RemoteProfile)

  /// Decides.
  ///
  /// A URL without a name is the profile that is known for it, else one named after it, so that nothing that was
  /// sent to one service ever counts as done for another. Without a name, a URL and a key it is the embedded
  /// service, unless the project has, or has had, another.
  init(
    _ request: ProfileRequest, catalog: ProfileCatalog, record: SentRecord
  ) throws(CommandFailure) {
    let chooser = Chooser(request: request, catalog: catalog, record: record)
    if let remote = try chooser.remote() {
      try record.require(remote)
      self = .remote(remote)
    } else {
      self = .local
    }
  }
}

private struct Chooser {
  let request: ProfileRequest
  let catalog: ProfileCatalog
  let record: SentRecord

  /// The remote profile that is meant; nil for the embedded service.
  func remote() throws(CommandFailure) -> RemoteProfile? {
    if let name = request.name {
      return name == ProfileCatalog.local ? try local() : try named(name)
    }
    if let address = request.service ?? request.usualService { return try profile(of: address) }
    if request.keyFile != nil || request.hasUsualKey || catalog.entries[ProfileCatalog.lightfield] != nil {
      return try named(ProfileCatalog.lightfield)
    }
    guard record.addresses.isEmpty, catalog.entries.isEmpty else { throw noKey() }
    return nil
  }

  private func local() throws(CommandFailure) -> RemoteProfile? {
    guard request.service == nil, request.keyFile == nil else {
      throw CommandFailure(
        .usage, "The profile local is the embedded service; leave out --service and --api-key-file.")
    }
    return nil
  }

  private func named(_ name: String) throws(CommandFailure) -> RemoteProfile {
    if name == ProfileCatalog.lightfield {
      return try lightfield()
    }
    if let entry = catalog.entries[name] {
      return RemoteProfile(
        name: name, address: try agreed(entry.address, of: name, with: request.service),
        key: request.keyFile ?? entry.key)
    }
    // Not `LIGHTFIELD_BASE_URL` before what the profile is known for: a variable is easily left over.
    guard let address = request.service ?? record.addresses[name] ?? request.usualService else {
      throw CommandFailure(
        .usage,
        "There is no profile \"\(name)\"; known are \(known). Add it with moontide profiles add, or say where "
          + "it is with --service URL.")
    }
    return RemoteProfile(name: name, address: address, key: request.keyFile ?? usualKey)
  }

  private func lightfield() throws(CommandFailure) -> RemoteProfile {
    let name = ProfileCatalog.lightfield
    return RemoteProfile(
      name: name,
      address: try agreed(.lightfield, of: name, with: request.service ?? request.usualService),
      key: request.keyFile ?? catalog.entries[name]?.key ?? usualKey)
  }

  private func agreed(
    _ address: ServiceAddress, of name: String, with asked: ServiceAddress?
  ) throws(CommandFailure) -> ServiceAddress {
    guard let asked, asked != address else { return address }
    let origin = request.service == nil ? "LIGHTFIELD_BASE_URL" : "--service"
    throw CommandFailure(
      .usage,
      "The profile \(name) is \(address), and \(origin) says \(asked). Leave one of them out; without "
        + "--profile, \(asked) gets a profile of its own.")
  }

  /// The profile that is known for an address, or one that is named after it.
  private func profile(of address: ServiceAddress) throws(CommandFailure) -> RemoteProfile {
    if address == .lightfield { return try lightfield() }
    let names = Set(catalog.entries.filter { $0.value.address == address }.keys)
      .union(record.addresses.filter { $0.value == address }.keys).sorted()
    guard names.count < 2 else {
      throw CommandFailure(
        .usage,
        "Several profiles are \(address): \(names.joined(separator: ", ")). Say which with --profile NAME.")
    }
    let name = names.first ?? address.place
    return RemoteProfile(
      name: name, address: address, key: request.keyFile ?? catalog.entries[name]?.key ?? usualKey)
  }

  private var usualKey: KeySource { .variable(KeySource.standardVariable) }

  private var known: String {
    let names = Set(catalog.entries.keys).union(record.addresses.keys)
    return names.union([ProfileCatalog.local, ProfileCatalog.lightfield]).sorted().joined(separator: ", ")
  }

  /// The error of a project that is set up for a service and is not to go over to the embedded one by itself.
  private func noKey() -> CommandFailure {
    let services = record.addresses.merging(catalog.entries.mapValues(\.address)) { recorded, _ in recorded }
    let names = services.keys.sorted()
    let setUp = services.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }
    return CommandFailure(
      .usage,
      """
      No API key is set, and this project is set up for \(setUp.joined(separator: ", ")), so it does not go over \
      to the embedded service by itself. Nothing was done.
        Set LIGHTFIELD_API_KEY, or pass --api-key-file FILE, to go on with Lightfield;
        pass --profile NAME for another service, one of: \(names.joined(separator: ", "));
        pass --profile local if the embedded service is what you mean.
      """)
  }
}
