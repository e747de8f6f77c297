/// What help was asked about.
package enum HelpTopic: Equatable, Sendable {
    case program
    case group(VerbGroup)
    case verb(Verb)
}
