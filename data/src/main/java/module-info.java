import org.jspecify.annotations.NullMarked;

/** Documents to token batches: sources, tokenizers, shards on disk, and reproducible batches. */
@NullMarked
module dev.duoka.data {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires com.github.luben.zstd_jni;
  requires dev.hardwood.core;
  requires java.logging;
  requires tools.jackson.databind;

  exports dev.duoka.data.batch;
  exports dev.duoka.data.chat;
  exports dev.duoka.data.overlap;
  exports dev.duoka.data.shard;
  exports dev.duoka.data.source;
  exports dev.duoka.data.tokenizer;
  exports dev.duoka.data.training;
}
