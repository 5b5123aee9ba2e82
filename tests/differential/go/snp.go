package main

import (
	"encoding/hex"
	"errors"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/verify"
)

// judgeSnp takes: the time; the report; the certificates of the chip's key, of AMD's authority and of its root; all in hex, DER.
func judgeSnp(parts []string) error {
	if len(parts) != 5 {
		return errors.New("not a case")
	}
	now, err := at(parts[0])
	if err != nil {
		return err
	}
	var der [4][]byte
	for i := range der {
		if der[i], err = hex.DecodeString(parts[i+1]); err != nil {
			return err
		}
	}
	report, err := abi.ReportToProto(der[0])
	if err != nil {
		return err
	}
	chain := &sevsnp.CertificateChain{VcekCert: der[1], AskCert: der[2], ArkCert: der[3]}
	options := &verify.Options{Now: now, DisableCertFetching: true}
	return verify.SnpAttestation(&sevsnp.Attestation{Report: report, CertificateChain: chain}, options)
}
