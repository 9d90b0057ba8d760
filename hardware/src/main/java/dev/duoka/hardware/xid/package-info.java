/** What the error numbers of NVIDIA's driver mean, and what is done first. Read {@code Xid}. */
package dev.duoka.hardware.xid;
