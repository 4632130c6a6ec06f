package azure

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/ringfence/ringfence/importers/importertest"
	"github.com/ringfence/ringfence/model"
)

const tagsExample = `{
  "changeNumber": 363,
  "cloud": "Public",
  "values": [
    {"name": "Storage.WestEurope", "id": "Storage.WestEurope", "properties": {"changeNumber": 5, "region": "WestEurope", "regionId": 18, "platform": "Azure",
      "systemService": "AzureStorage", "addressPrefixes": ["2603:1020:206::/48", "13.69.40.0/21", "13.69.40.0/21"], "networkFeatures": ["API", "NSG"]}},
    {"name": "AzureFrontDoor.Backend", "id": "AzureFrontDoor.Backend", "properties": {"region": "", "systemService": "AzureFrontDoor", "addressPrefixes": ["4.213.81.64/29"]}}
  ]
}`

func TestServiceTags(t *testing.T) {
	for coding, data := range encodings(t, tagsExample) {
		got, err := ServiceTags(fstest.MapFS{"tags.json": {Data: data}}, "tags.json")
		if err != nil {
			t.Errorf("%s: %v", coding, err)
			continue
		}
		want := &model.ServiceTags{
			ChangeNumber: 363, Cloud: "Public",
			Tags: []model.ServiceTag{
				{Name: "AzureFrontDoor.Backend", System: "AzureFrontDoor", Prefixes: prefixList2("4.213.81.64/29")},
				{Name: "Storage.WestEurope", Region: "westeurope", System: "AzureStorage", Prefixes: prefixList2("13.69.40.0/21", "2603:1020:206::/48")},
			},
		}
		if diff := cmp.Diff(want, got, facts()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", coding, diff)
		}
		if got.Source.String() != "tags.json:1" {
			t.Errorf("source %s", got.Source)
		}
	}
}

func TestBadServiceTags(t *testing.T) {
	for text, want := range map[string]string{
		``:                                  "t.json:1: found `no service tags`, want a service-tag file: an object with `changeNumber`, `cloud` and `values`",
		`[]`:                                "t.json:1: found `no service tags`, want a service-tag file: an object with `changeNumber`, `cloud` and `values`",
		`{"values": [`:                      "t.json:1: found `the end of the file`, want the rest of the JSON value: the file is cut off",
		`{"changeNumber": 1, "values": {}}`: "t.json:1: values: found `an object`, want a list of tags",
		`{"changeNumber": 1, "values": []}`: "t.json:1: values: found `a list`, want a list of tags",
		"{\"changeNumber\": \"1\", \"values\": [\nnull,\n{\"name\": \"A b\"},\n{\"name\": \"A\"},\n{\"name\": \"B\", \"properties\": {\"addressPrefixes\": [\n\"10.0.0.0/33\", 5]}},\n{\"name\": \"b\"}]}": "t.json:1: changeNumber: found `no number`, want the number of the list\n" +
			"t.json:2: values[0]: found `null`, want a tag: an object with `name` and `properties`\n" +
			"t.json:3: values[1]: found `an object`, want a tag: an object with `name` and `properties`\n" +
			"t.json:4: values[2].properties.addressPrefixes: found `nothing`, want a list of prefixes\n" +
			"t.json:6: values[3].properties.addressPrefixes[0]: found `\"10.0.0.0/33\"`, want an address or CIDR such as 13.66.143.220/30\n" +
			"t.json:6: values[3].properties.addressPrefixes[1]: found `5`, want an address or CIDR such as 13.66.143.220/30\n" +
			"t.json:7: values[4].name: found `\"b\"`, want each tag once; the first is at t.json:5",
	} {
		_, err := ServiceTags(fstest.MapFS{"t.json": {Data: []byte(text)}}, "t.json")
		if err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
			continue
		}
		importertest.Errors(t, err)
	}
}
