/** Turns C symbols into method handles and native failures into errors; not exported. */
package dev.duoka.ffi.link;
