//go:build !unix

package machinecode

// shared reports a system whose folder for temporary files is everybody's; elsewhere each user has one.
const shared = false

func private(string) bool { return true }
