// CaptureStackTrace puts the host's frames on an object.
export default async () => { const target = {}; Error.captureStackTrace(target); return /node:|file:|[/]\w+[/]/.test(String(target.stack)) ? target.stack : null; };
