import org.jspecify.annotations.NullMarked;

@NullMarked
module dev.duoka.engine {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.tensor;
}
