fn main() {
    // A module whose static OpenSSL is unloaded while worker threads live crashes the process at its exit.
    println!("cargo:rustc-link-arg-cdylib=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
