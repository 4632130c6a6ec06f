package packet

import (
	"os"
	"syscall"
)

// peakMB is the largest memory that a process had.
func peakMB(s *os.ProcessState) (int64, bool) {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	return int64(usage.Maxrss) >> 10, true // not an int64 on every architecture
}
