//! What `#[payload(codec = "protobuf")]` says without the feature `protobuf`.

#[doc(hidden)]
#[macro_export]
macro_rules! __protobuf_payload {
    () => {
        ::core::compile_error!(
            "`#[payload(codec = \"protobuf\")]` needs the feature `protobuf`: \
             oxflow = { version = \"0.1\", features = [\"protobuf\"] }"
        );

        $crate::__serde_payload! {}
    };
}
