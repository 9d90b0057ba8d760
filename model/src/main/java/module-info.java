import org.jspecify.annotations.NullMarked;

@NullMarked
module dev.duoka.model {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.tensor;
  requires transitive dev.duoka.engine;
}
