//go:build !linux

package packet

import "os"

func peakMB(*os.ProcessState) (int64, bool) { return 0, false }
