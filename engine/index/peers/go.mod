module github.com/ketnoi/ketnoi/engine/index/peers

go 1.26.0

require (
	github.com/ketnoi/ketnoi v0.0.0
	github.com/philippgille/chromem-go v0.7.0
	github.com/viterin/vek v0.4.3
)

require (
	github.com/RoaringBitmap/roaring/v2 v2.30.0 // indirect
	github.com/abadojack/whatlanggo v1.0.1 // indirect
	github.com/bits-and-blooms/bitset v1.24.4 // indirect
	github.com/chewxy/math32 v1.10.1 // indirect
	github.com/mschoch/smat v0.2.0 // indirect
	github.com/viterin/partial v1.1.0 // indirect
	golang.org/x/exp v0.0.0-20261011100332-faecfb24eb49 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/ketnoi/ketnoi => ../../..
