package model

// DiagnosticSetting says which logs of a resource, or of a subscription, go where. It filters no packet.
type DiagnosticSetting struct {
	Meta
	Target    ID // whose logs they are: a resource, or a subscription for its activity log
	Logs      []LogCategory
	Workspace ID
	Storage   ID
	EventHub  ID   // an authorization rule of the namespace
	Dedicated bool // into a table for each category, where the service has them; else into AzureDiagnostics
}

// LogCategory is a category of logs, or a group of categories, and whether it is sent.
type LogCategory struct {
	Category string
	Group    string // allLogs, audit
	Enabled  bool
	Keep     int // days that a storage account keeps it by the setting's own policy; 0: that policy is off
}

// FlowLog records the flows of a network, a subnet, a network interface or an NSG.
type FlowLog struct {
	Meta
	Target    ID
	Enabled   bool
	Storage   ID
	Workspace ID  // of traffic analytics, where that is on
	Keep      int // days that its own policy keeps it; 0: that policy is off
}

// LogTable is a table of a Log Analytics workspace, and how long it keeps its rows.
type LogTable struct {
	Name string // in lower case
	Days int    // totalRetentionInDays: at hand and archived
}

// Lifecycle is a rule of a storage account that deletes blobs, as far as it may touch logs.
type Lifecycle struct {
	Name       string
	Source     Source
	Days       int      // after which a blob is deleted
	Containers []string // beginnings of container names; empty: all
	BlobTypes  []string // blockBlob, appendBlob; empty: all
}
