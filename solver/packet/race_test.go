//go:build race

package packet

// raceEnabled reports whether the race detector runs: it multiplies memory, so that limits on it mean nothing.
func raceEnabled() bool { return true }
