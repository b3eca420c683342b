import FileSessions
import LuaHost

extension LuaLibrary {
  /// `moontide.meetings`: the meetings of the service.
  static func meetings(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.meetings") { module in
      looking(context, &module)
      recording(context, &module)
      module.script(pages)
    }
  }

  private static func looking(_ context: LibraryContext, _ module: inout LuaModule) {
    module.waiting("get") { call in
      try context.require(.service(scope: ServiceScope.readMeetings), by: call.name)
      let id = try call.string(1)
      try call.requireKnowable("meetings.get", in: context)
      return LuaOperation { [try await context.service.retrieveMeeting(id).luaValue] }
    }
    module.waiting("list") { call in
      try context.require(.service(scope: ServiceScope.readMeetings), by: call.name)
      let fields = try call.optionalFields(1)
      try fields.onlyKnown(["limit", "offset"])
      let limit = try fields.optionalInt("limit", in: 1...Int(Int32.max))
      let offset = try fields.optionalInt("offset", in: 0...Int(Int32.max))
      try call.requireKnowable("meetings.list", in: context)
      return LuaOperation {
        let page = try await context.service.listMeetings(limit: limit, offset: offset)
        var table = LuaTable(array: page.data.map(\.luaValue))
        table["total_count"] = .int(page.totalCount)
        return [.table(table)]
      }
    }
    module.waiting("find") { call in
      try context.require(.service(scope: ServiceScope.readMeetings), by: call.name)
      let fields = try call.fields(1)
      let query = try MeetingQuery(fields)
      let first = try fields.optionalBoolean("first") ?? false
      try call.requireKnowable("meetings.find", in: context)
      return LuaOperation {
        [try await context.meetings.find(query, first: first)?.luaValue ?? .nil]
      }
    }
  }

  private static func recording(_ context: LibraryContext, _ module: inout LuaModule) {
    module.waiting("create") { call in
      try context.require(.service(scope: ServiceScope.createMeetings), by: call.name)
      let new = try NewMeeting(call.fields(1))
      let options = try call.optionalFields(2)
      try options.onlyKnown(["label"])
      let label = try options.optionalString("label")
      try call.requireKnowable("meetings.create", in: context)
      let place = JobCalls.current?.enter(["meetings.create"], label: label)
      return LuaOperation {
        let meeting = try await context.calling(place) { key throws(ServiceError) in
          try await context.service.createMeeting(new, key: key)
        }
        await context.meetings.note(meeting)
        return [meeting.luaValue]
      }
    }
    module.waiting("attach_transcript") { call in
      try context.require(.service(scope: ServiceScope.updateMeetings), by: call.name)
      let meetingID = try call.identifier(1, wanted: "meeting or its id", \.meetingID)
      let change = MeetingChange(
        transcript: try call.identifier(2, wanted: "session or its id", \.sessionID))
      try call.requireKnowable("meetings.attach_transcript", in: context)
      // Which file goes to which meeting tells these calls apart better than their order.
      let place = JobCalls.current?.enter(
        ["meetings.attach_transcript", meetingID, change.transcript ?? ""], label: nil)
      return LuaOperation {
        let meeting = try await context.calling(place) { key throws(ServiceError) in
          try await context.service.updateMeeting(meetingID, change, key: key)
        }
        await context.meetings.note(meeting)
        return [meeting.luaValue]
      }
    }
  }
}

extension LuaCall {
  /// An argument that is an id, or an object that has one.
  fileprivate func identifier(
    _ index: Int, wanted: String, _ read: (LuaValue) -> String?
  ) throws -> String {
    let value = try value(index)
    guard let id = read(value) else {
      throw LuaValueError(place: "\(name): argument #\(index)", wanted: wanted, got: value.summary)
    }
    return id
  }
}
