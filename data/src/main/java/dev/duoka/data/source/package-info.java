/**
 * Where documents come from: files, folders, globs, archives and the JDK's own sources, as text,
 * JSON lines, JSON or Parquet.
 *
 * <p>Read {@link dev.duoka.data.source.SourceSpec} first, then {@link dev.duoka.data.source.Corpus}
 * and {@link dev.duoka.data.source.DataSource}.
 */
package dev.duoka.data.source;
