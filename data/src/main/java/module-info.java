import org.jspecify.annotations.NullMarked;

@NullMarked
module dev.duoka.data {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires tools.jackson.databind;

  exports dev.duoka.data.chat;
  exports dev.duoka.data.tokenizer;
}
