import CContainerInit
import LaunchPlan
import Testing

@testable import ContainerMonitor
