import org.jspecify.annotations.NullMarked;

/** DeepSeek's architectures, and their weights in Hugging Face's form. */
@NullMarked
module dev.duoka.model {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.tensor;
  requires transitive dev.duoka.engine;

  exports dev.duoka.model;
  exports dev.duoka.model.adapter;
  exports dev.duoka.model.layer;
  exports dev.duoka.model.weight;
}
