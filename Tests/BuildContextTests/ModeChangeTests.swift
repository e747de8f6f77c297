import BuildContext
import Testing

@Suite struct ModeChangeTests {}
