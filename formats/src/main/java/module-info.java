import org.jspecify.annotations.NullMarked;

@NullMarked
module dev.duoka.formats {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
}
