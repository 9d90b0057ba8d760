/**
 * Where each rank stands. {@link dev.duoka.parallel.mesh.Mesh} is the arithmetic of the axes,
 * {@link dev.duoka.parallel.mesh.MeshGroups} one rank's communicators along them.
 */
@NullMarked
package dev.duoka.parallel.mesh;

import org.jspecify.annotations.NullMarked;
