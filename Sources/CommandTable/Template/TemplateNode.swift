/// A part of a parsed template.
indirect enum TemplateNode: Sendable {
    case text(String)
    case print(TemplatePipeline)
    case declare(String, TemplatePipeline)
    case assign(String, TemplatePipeline)
    case `if`(TemplatePipeline, then: [TemplateNode], else: [TemplateNode])
    case with(TemplatePipeline, then: [TemplateNode], else: [TemplateNode])
    /// `names`: none, the element's, or the index's and the element's.
    case range(TemplatePipeline, names: [String], body: [TemplateNode], else: [TemplateNode])
}

/// Commands with the result of each as the last argument of the next.
struct TemplatePipeline: Sendable {
    var commands: [TemplateCommand]
}

enum TemplateCommand: Sendable {
    case operand(TemplateOperand)
    case call(String, [TemplateOperand])
}

indirect enum TemplateOperand: Sendable {
    case literal(TemplateValue)
    /// Fields of the current value.
    case path([String])
    case variable(String, [String])
    case group(TemplatePipeline, [String])
    /// A function without arguments in the place of one.
    case function(String)
}
