//go:build !race

package packet

func raceEnabled() bool { return false }
