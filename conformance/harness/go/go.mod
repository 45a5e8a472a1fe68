module vtlic.test/harness

go 1.24.0

require (
	github.com/cloudflare/circl v1.6.4
	github.com/fxamacker/cbor/v2 v2.10.0
)

require (
	github.com/x448/float16 v0.8.4 // indirect
	golang.org/x/sys v0.38.0 // indirect
)
