import org.jspecify.annotations.NullMarked;

/** What every module shares: errors, text helpers and crash-safe files. No native code. */
@NullMarked
module dev.duoka.base {
  requires static transitive org.jspecify;

  exports dev.duoka.base;
}
