import ContainerMonitor

Monitor.main()
