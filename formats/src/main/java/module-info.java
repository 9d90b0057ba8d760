import org.jspecify.annotations.NullMarked;

/** Hugging Face's file formats: JSON, safetensors and a model's config. No tensors. */
@NullMarked
module dev.duoka.formats {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive tools.jackson.databind;

  exports dev.duoka.formats.json;
  exports dev.duoka.formats.modelconfig;
  exports dev.duoka.formats.safetensors;
}
