package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/google/go-tdx-guest/verify"
)

// bundle is the collateral of one platform, as the provisioning service serves it.
type bundle struct {
	PckCrlChain         string `json:"pck_crl_issuer_chain"`
	RootCrl             string `json:"root_ca_crl"`
	PckCrl              string `json:"pck_crl"`
	TcbInfoChain        string `json:"tcb_info_issuer_chain"`
	TcbInfo             string `json:"tcb_info"`
	TcbInfoSignature    string `json:"tcb_info_signature"`
	QeIdentityChain     string `json:"qe_identity_issuer_chain"`
	QeIdentity          string `json:"qe_identity"`
	QeIdentitySignature string `json:"qe_identity_signature"`
}

// Get answers as the provisioning service would, out of the bundle.
func (b *bundle) Get(address string) (map[string][]string, []byte, error) {
	chain := func(name, pem string) map[string][]string { return map[string][]string{name: {url.QueryEscape(pem)}} }
	switch {
	case strings.Contains(address, "/tcb?fmspc="):
		return chain("Tcb-Info-Issuer-Chain", b.TcbInfoChain), signed("tcbInfo", b.TcbInfo, b.TcbInfoSignature), nil
	case strings.HasSuffix(address, "/qe/identity"):
		return chain("Sgx-Enclave-Identity-Issuer-Chain", b.QeIdentityChain),
			signed("enclaveIdentity", b.QeIdentity, b.QeIdentitySignature), nil
	case strings.Contains(address, "/pckcrl?ca="):
		crl, err := hex.DecodeString(b.PckCrl)
		return chain("Sgx-Pck-Crl-Issuer-Chain", b.PckCrlChain), crl, err
	case strings.HasSuffix(address, ".crl"), strings.HasSuffix(address, ".der"):
		crl, err := hex.DecodeString(b.RootCrl)
		return nil, crl, err
	}
	return nil, nil, errors.New("nothing is fetched from " + address)
}

func signed(member, body, signature string) []byte {
	return []byte(`{"` + member + `":` + body + `,"signature":"` + signature + `"}`)
}

// judgeTdx takes: the root in PEM as hex, or "-" for the one that the library has; the time; the quote in hex; the collateral.
func judgeTdx(parts []string) error {
	if len(parts) != 4 {
		return errors.New("not a case")
	}
	now, err := at(parts[1])
	if err != nil {
		return err
	}
	quote, err := hex.DecodeString(parts[2])
	if err != nil {
		return err
	}
	collateral := new(bundle)
	if err := json.Unmarshal([]byte(parts[3]), collateral); err != nil {
		return err
	}
	options := verify.DefaultOptions()
	options.CheckRevocations, options.GetCollateral = true, true
	options.Getter, options.Now = collateral, now
	if parts[0] != "-" {
		pem, err := hex.DecodeString(parts[0])
		if err != nil {
			return err
		}
		options.TrustedRoots = x509.NewCertPool()
		options.TrustedRoots.AppendCertsFromPEM(pem)
	}
	return verify.RawTdxQuote(quote, options)
}
