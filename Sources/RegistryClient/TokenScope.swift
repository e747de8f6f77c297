/// What a token is asked for: `repository:library/redis:pull` (distribution's token specification).
struct TokenScope: Hashable, Sendable {
    enum Action: String, Hashable, Sendable, Comparable {
        case pull, push, delete

        static func < (left: Action, right: Action) -> Bool {
            left.order < right.order
        }

        private var order: Int {
            switch self {
            case .pull: 0
            case .push: 1
            case .delete: 2
            }
        }
    }

    var repository: String
    var actions: Set<Action>

    init(repository: String, _ actions: Set<Action>) {
        self.repository = repository
        self.actions = actions
    }

    var text: String {
        "repository:\(repository):" + actions.sorted().map(\.rawValue).joined(separator: ",")
    }
}
