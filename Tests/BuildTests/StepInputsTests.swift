import Testing

@testable import Build

@Suite struct StepInputsTests {
    private func inputs(_ pairs: [(String, String)]) -> StepInputs {
        var inputs = StepInputs()
        for (name, value) in pairs { inputs.add(name, value) }
        return inputs
    }

    @Test func theKeyIsOfNamesAndValuesApart() {
        #expect(inputs([("a", "b")]).key == inputs([("a", "b")]).key)
        #expect(inputs([("a", "b")]).key.utf8.count == 64)
        let different = [
            inputs([("a", "b")]), inputs([("ab", "")]), inputs([("a", "b"), ("", "")]), inputs([("a b", "")]),
            inputs([("a", "b 1 c 1 d")]), inputs([("a", "b"), ("c", "d")]), inputs([("c", "d"), ("a", "b")]),
        ]
        #expect(Set(different.map(\.key)).count == different.count)
    }

    @Test func aLongOrOddValueIsItsDigest() {
        let long = inputs([("env A", String(repeating: "x", count: 201))])
        #expect(long.inputs[0].value.utf8.count == 64)
        #expect(inputs([("heredoc", "a\nb")]).inputs[0].value.utf8.count == 64)
        #expect(inputs([("env A", "plain")]).inputs[0].value == "plain")
    }

    @Test func changesAreNamed() {
        let before = inputs([("parent", "1"), ("env A", "x"), ("arg OLD", "y")])
        let after = inputs([("parent", "1"), ("env A", "z"), ("arg NEW", "y")])
        #expect(after.changes(since: before) == ["env A changed", "arg NEW is new", "arg OLD is gone"])
        #expect(before.changes(since: before).isEmpty)
    }
}
