import org.jspecify.annotations.NullMarked;

@NullMarked
module dev.duoka.ffi {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
}
