package diagram

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON writes the diagram's data.
func (d *Diagram) JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("write the %s diagram: %w", d.Kind, err)
	}
	return b.Bytes(), nil
}
