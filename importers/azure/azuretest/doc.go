// Package azuretest writes Azure resources as the REST API prints them, for tests that begin where users do: at the JSON.
//
// Each function makes one resource from a few words, and [FS] the file system that azure.Import reads:
//
//	fsys := azuretest.FS(
//		azuretest.VNet("net", "10.0.0.0/16", azuretest.Subnet("web", "10.0.1.0/24", "nsg=web"), azuretest.Peering("hub", "forwarded")),
//		azuretest.NSG("web", "100 Allow In tcp Internet -> * 443 AllowWeb"),
//		azuretest.NIC("vm", "net/web", "10.0.1.4", "pip=vm"),
//		azuretest.PublicIP("vm", "20.0.0.1"),
//	)
//	res, err := azure.Import(fsys, azuretest.Files(fsys))
//
// Shape: names stand for IDs. `net` is a VNet, `net/web` a subnet in it, `lb/pool` a pool of a load balancer; everything is in one
// subscription, resource group and region unless [Resource.Set] says otherwise. Options are words, `key` or `key=value`; each function lists
// its own. What has no function is made by [New], what has no option set by [Resource.Set].
// Errors: a word that is not understood is a bug of the test and panics.
//
// [REST] writes resources of the model as the REST API prints them, with what an export holds besides: etags, provisioning states,
// empty lists, default rules. [Flat] and [Row] rewrite what REST prints as `az … -o json` and Resource Graph print it, [Apart] and
// [Nested] take the parts of a resource (rules, subnets, peerings) out of it and put them in, [Lists] and [Singles] choose between the
// plural and the singular form of a field, and [List], [Graph], [Lines], [Shuffled] make files of them. So one description of an estate
// can be read in every shape in which it may come.
//
// The package does not import the importer, so that the importer's own tests can use it.
package azuretest
