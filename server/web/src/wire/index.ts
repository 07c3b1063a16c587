export { wireErrorCodes, WireError, type WireErrorName } from './error'
export { hexOfBytes, uuid7At } from './ids'
export {
  decodeItem, type CaseProgress, type Categories, type ItemBody, type Notice, type Settings, type Task, type TaskCancelled,
} from './items'
export { limits } from './limits'
export {
  decodeDown, decodeMedia, decodeUp, encodeDown, encodeMedia, encodeUp, type Busy, type Down, type Item, type MediaPiece,
  type MediaState, type Range, type Receipt, type Up,
} from './messages'
export {
  decodeRecord, encodeRecord, type Bodies, type Capture, type CheckItem, type Clock, type Fix, type Kind, type RecordMedia,
  type RecordOf, type WireRecord,
} from './record'
export { signingInput } from './signing'
export { topic, type Lane } from './topics'
export { packTrack, unpackTrack, type TrackPoint } from './track'
