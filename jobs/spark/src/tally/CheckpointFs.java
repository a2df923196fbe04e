package tally;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.DelegateToFileSystem;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FsServerDefaults;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.local.LocalConfigKeys;
import org.apache.hadoop.fs.permission.FsPermission;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * file: for checkpoints. Without its native library Hadoop starts a process for every file it makes (chmod)
 * and for every look at what may be a link (readlink), and its LocalFs makes a second file of checksums
 * beside each: about half of a batch's time, where a batch is some hundred bytes. Java can do both by
 * itself.
 */
public final class CheckpointFs extends DelegateToFileSystem {
    /** Hadoop finds it by its parameters' types. */
    public CheckpointFs(URI uri, Configuration conf) throws IOException, URISyntaxException {
        super(uri, new LocalFiles(), conf, "file", false);
    }

    @Override
    public int getUriDefaultPort() {
        return -1;
    }

    @Override
    public FsServerDefaults getServerDefaults(Path path) throws IOException {
        return LocalConfigKeys.getServerDefaults();
    }

    @Override
    @Deprecated
    public FsServerDefaults getServerDefaults() throws IOException {
        return LocalConfigKeys.getServerDefaults();
    }

    @Override
    public boolean isValidName(String name) {
        return true; // the host's own rules hold
    }

    private static final class LocalFiles extends RawLocalFileSystem {
        @Override
        public void setPermission(Path path, FsPermission permission) throws IOException {
            String text = permission.toString().replace('t', 'x').replace('T', '-'); // without the sticky bit

            Files.setPosixFilePermissions(pathToFile(path).toPath(), PosixFilePermissions.fromString(text));
        }

        @Override
        public FileStatus getFileLinkStatus(Path path) throws IOException {
            return getFileStatus(path); // nobody makes links in a checkpoint
        }
    }
}
