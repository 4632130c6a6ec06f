//go:build unix

package machinecode

import (
	"os"
	"syscall"
)

// shared reports a system whose folder for temporary files is everybody's.
const shared = true

// private reports a folder, no link to one, in which nobody but the user writes.
func private(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
