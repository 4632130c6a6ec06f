package machinecode

import (
	"os"
	"path/filepath"
)

// variable names the folder for temporary files.
const variable = "TMPDIR"

//nolint:gochecknoglobals // read once, before any other package can look
var given, stated = os.LookupEnv(variable)

//nolint:gochecknoinits // the engine starts in an init function of its own
func init() {
	if !shared {
		return
	}
	dir := os.DevNull // no folder can be made in it
	if base, err := os.UserCacheDir(); err == nil {
		if own := filepath.Join(base, "ringfence"); os.MkdirAll(own, 0o700) == nil && private(own) {
			dir = own
		}
	}
	os.Setenv(variable, dir) //nolint:errcheck // the name is right
}

// Restore puts the folder for temporary files back as it was stated.
func Restore() {
	switch {
	case !shared:
	case stated:
		os.Setenv(variable, given) //nolint:errcheck // it was there
	default:
		os.Unsetenv(variable) //nolint:errcheck // the name is right
	}
}
